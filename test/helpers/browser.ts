import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import axe from 'axe-core'
import { chromium, type Browser, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { toolPath } from './tools.ts'

/** Nothing that Chromium would ask the network for on its own account. */
const quiet = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Debian's Chromium, with a profile of its own that goes with it. Whoever starts it closes it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: toolPath('chromium'), args: quiet })
}

/** A tab that keeps count of what must not happen on any page: errors on the console, and breaches of the page's policy. */
export class Tab {
  readonly page: Page
  readonly complaints: string[] = []

  constructor(page: Page) {
    this.page = page
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text())
    })
    page.on('pageerror', (error) => this.complaints.push(error.message))
  }

  /** Fails where the page complained, or a check of axe-core finds what is serious. */
  async expectSound(): Promise<void> {
    expect(this.complaints).toEqual([])
    expect(await this.#violations()).toEqual([])
  }

  /** A picture of the whole page below test/output. */
  async photograph(name: string): Promise<void> {
    const file = fileURLToPath(new URL(`../output/pages/${name}.png`, import.meta.url))
    mkdirSync(dirname(file), { recursive: true })
    await this.page.screenshot({ path: file, fullPage: true })
  }

  /** By the debugger, as an inspector would: the page's own policy lets no script of others in. */
  async #violations(): Promise<string[]> {
    await this.page.evaluate(axe.source)
    const { violations } = await this.page.evaluate<axe.AxeResults>('axe.run()')
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`)
  }
}
