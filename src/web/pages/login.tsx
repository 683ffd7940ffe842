import { sentence, visible } from '../format.ts'
import { Page, type Frame } from '../layout.tsx'
import { Notice } from '../parts.tsx'

export interface LoginProps {
  frame: Frame
  /** Where it goes on. */
  next: string
  /** Why it did not work before. */
  problem?: string | undefined
  /** Why it is asked for. */
  reason?: string | undefined
}

export function LoginPage({ frame, next, problem, reason }: LoginProps) {
  return (
    <Page frame={frame} title="Log in">
      <div class="login">
        <h1>Log in</h1>
        {problem !== undefined && <Notice tone="bad">{sentence(problem)}</Notice>}
        {reason !== undefined && <Notice tone="info">{sentence(reason)}</Notice>}
        <ProviderForms frame={frame} next={next} />
        <LoginForm frame={frame} next={next} />
        <p class="faint">With the name and password that docker login takes here.</p>
      </div>
    </Page>
  )
}

function ProviderForms({ frame, next }: { frame: Frame; next: string }) {
  return frame.providers.map(({ name, label }) => (
    <form method="post" action={`/login/oidc/${name}`} class="stacked">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="next" value={next} />
      <button type="submit" class="main">
        Log in with {visible(label)}
      </button>
    </form>
  ))
}

function LoginForm({ frame, next }: { frame: Frame; next: string }) {
  return (
    <form method="post" action="/login" class="stacked">
      <input type="hidden" name="token" value={frame.formToken} />
      <input type="hidden" name="next" value={next} />
      <label>
        User name
        <input name="username" required autocomplete="username" autocapitalize="none" spellcheck={false} />
      </label>
      <label>
        Password
        <input name="password" type="password" required autocomplete="current-password" />
      </label>
      <button type="submit" class="main">
        Log in
      </button>
    </form>
  )
}
