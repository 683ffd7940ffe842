import type { Child, PropsWithChildren } from 'hono/jsx'
import type { Assets } from './assets.ts'

/** What every page has around it. */
export interface Frame {
  readonly assets: Assets
  /** Who is logged in. */
  readonly user: string | undefined
  readonly mayAdminister: boolean
  /** Where one can log in besides here. */
  readonly providers: readonly { readonly name: string; readonly label: string }[]
  /** What stands in the search field. */
  readonly search?: string
  /** The time that ages are told by, in milliseconds since 1970. */
  readonly now: number
  /** The host and port that clients name. */
  readonly host: string
  /** Whether they come by https. */
  readonly isSecure: boolean
  /** Proof that a form is of this server and for this visitor. */
  readonly formToken: string
}

/** Pages for those who look after the registry. */
const administration = {
  '/cache': 'Cache',
  '/warm': 'Warm lists',
  '/webhooks': 'Webhooks',
  '/accounts': 'Accounts',
  '/audit': 'Audit log',
} as const

export interface PageProps {
  frame: Frame
  title: string
  wide?: boolean
  /** Which of the pages of administration it is, or belongs to. */
  administration?: keyof typeof administration
}

export function Page({ frame, title, children, wide, administration: part }: PropsWithChildren<PageProps>) {
  const { assets, user, mayAdminister, search } = frame
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{title === 'Berth' ? title : `${title} · Berth`}</title>
        <link rel="icon" href={assets.url('icon.svg')} type="image/svg+xml" />
        <link rel="stylesheet" href={assets.url('style.css')} />
        <script src={assets.url('page.js')} defer></script>
      </head>
      <body>
        <a class="skip" href="#main">
          Skip to content
        </a>
        <header class="top">
          <a class="brand" href="/">
            <Mark />
            Berth
          </a>
          <form class="find" action="/search" role="search">
            <input
              type="search"
              name="q"
              value={search ?? ''}
              placeholder="Search repositories"
              aria-label="Search repositories"
            />
          </form>
          <nav aria-label="Main">
            <a href="/search">Explore</a>
            {mayAdminister && <a href="/cache">Cache</a>}
            {mayAdminister && <a href="/accounts">Accounts</a>}
            {user === undefined ? <a href="/login">Log in</a> : <Account frame={frame} user={user} />}
          </nav>
        </header>
        <main id="main" class={wide ? 'wide' : undefined}>
          {part && <AdministrationPages part={part} />}
          {children}
        </main>
        <footer class="foot">
          <span>Berth, a container registry</span>
          <a href="/api/v1/openapi.json">API</a>
        </footer>
      </body>
    </html>
  )
}

function AdministrationPages({ part }: { part: keyof typeof administration }) {
  return (
    <nav class="tabs administration" aria-label="Administration">
      {Object.entries(administration).map(([href, name]) => (
        <a href={href} aria-current={href === part ? 'true' : undefined}>
          {name}
        </a>
      ))}
    </nav>
  )
}

function Account({ frame, user }: { frame: Frame; user: string }) {
  return (
    <form method="post" action="/logout" class="account">
      <a href="/account">{user}</a>
      <input type="hidden" name="token" value={frame.formToken} />
      <button type="submit" class="link">
        Log out
      </button>
    </form>
  )
}

/** Stacked cargo at a quay. */
function Mark() {
  return (
    <svg class="mark" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
      <rect x="3" y="8" width="6" height="5" rx="1" />
      <rect x="11" y="8" width="6" height="5" rx="1" />
      <rect x="7" y="2" width="6" height="5" rx="1" />
      <path d="M1 15h18v1.5c-1.5 0-1.5 1-3 1s-1.5-1-3 1-1.5-1-3-1-1.5 1-3 1-1.5-1-3-1-1.5 1-3 1z" />
    </svg>
  )
}

/** A part of a page with a heading of its own. */
export function Section({
  id,
  title,
  aside,
  children,
}: PropsWithChildren<{ id: string; title: string; aside?: Child }>) {
  return (
    <section aria-labelledby={id}>
      <div class="heading">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  )
}
