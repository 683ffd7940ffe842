import type { Browser } from 'playwright-core'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { render } from '../../src/web/markdown.js'
import { Readmes } from '../../src/web/readmes.ts'
import { startBrowser } from '../helpers/browser.ts'
import { hostileLines } from '../helpers/hostile-markdown.ts'
import { describeTool } from '../helpers/tools.ts'

describe('a README', () => {
  const away = 'rel="noopener nofollow ugc"'

  it.each([
    ['begins below the headings of the page', '# A\n\n## B\n', '<h3 id="readme-a">A</h3>\n<h4 id="readme-b">B</h4>\n'],
    [
      'keeps its outline wherever it begins',
      '## A\n\n#### B\n',
      '<h3 id="readme-a">A</h3>\n<h5 id="readme-b">B</h5>\n',
    ],
    ['has no level that is none', '# A\n###### B\n', '<h3 id="readme-a">A</h3>\n<h6 id="readme-b">B</h6>\n'],
    ['leads to its own headings', '[x](#how-to)\n', '<p><a href="#readme-how-to">x</a></p>\n'],
    [
      'leads elsewhere with a warning',
      '<https://a.test>\n',
      `<p><a href="https://a.test" ${away}>https://a.test</a></p>\n`,
    ],
    ['has text where a link would lead astray', '[x](docs/a.md)\n', '<p><span>x</span></p>\n'],
    ['links to images', '![Logo](https://a.test/l.png)\n', `<p><a href="https://a.test/l.png" ${away}>Logo</a></p>\n`],
    [
      'has words where an image stood in a link',
      '[![Build](https://a.test/b.svg)](https://ci.test)\n',
      `<p><a href="https://ci.test" ${away}>Build</a></p>\n`,
    ],
    ['has no link that nobody can see', '[](https://a.test) x\n', '<p> x</p>\n'],
    [
      'has tables and code that can be moved by keyboard',
      '|a|\n|--:|\n|1|\n\n    code\n',
      '<div class="wide" tabindex="0"><table>\n<thead>\n<tr>\n<th align="right">a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n' +
        '<td align="right">1</td>\n</tr>\n</tbody>\n</table></div>\n<pre tabindex="0"><code>code\n</code></pre>\n',
    ],
    [
      'shows what would turn its direction',
      'a\u202eb \u{1f468}\u200d\u{1f469}\n',
      '<p>a\\u{202e}b \u{1f468}\u200d\u{1f469}</p>\n',
    ],
  ])('%s', (_, markdown, html) => expect(render(markdown)).toBe(html))

  it('has headings of one name told apart', () => {
    expect(render('# A\n\n# A\n')).toContain('<h3 id="readme-a-1">A</h3>')
  })
})

describe('rendering', () => {
  const start = () => {
    const stopping = new AbortController()
    return { readmes: new Readmes(stopping.signal), stop: () => stopping.abort() }
  }

  it('renders the same text once, however many ask', async () => {
    const { readmes, stop } = start()
    const pages = await Promise.all(Array.from({ length: 100 }, () => readmes.html('# A')))
    expect(new Set(pages)).toEqual(new Set(['<h3 id="readme-a">A</h3>\n']))
    stop()
  })

  it('gives up a text whose HTML would be too large, and goes on with others', async () => {
    const { readmes, stop } = start()
    const grown = `[a]: https://example.com/${'x'.repeat(1_000)}\n\n${'[a]\n'.repeat(3_000)}`
    const [given, other] = await Promise.all([readmes.html(grown), readmes.html('*x*')])
    expect([given, other]).toEqual([undefined, '<p><em>x</em></p>\n'])
    stop()
  })
})

/** In the browser: what is in the HTML that must not be, also after it was written out and read once more. */
const findings = `(pages) => {
  const tags = new Set('h3 h4 h5 h6 p br hr div span a pre code kbd samp var em strong b i u s del ins mark small sub sup q cite abbr ul ol li dl dt dd blockquote details summary table thead tbody tfoot tr th td'.split(' '))
  const attributes = {
    href: (value) => /^(https?:\\/\\/|mailto:|#readme-)/i.test(value),
    rel: (value) => value === 'noopener nofollow ugc',
    id: (value) => value.startsWith('readme-'),
    class: (value) => value === 'wide',
    tabindex: (value) => value === '0',
    start: (value) => true,
    align: (value) => /^(left|center|right)$/.test(value),
  }
  const wrong = []
  for (const html of pages) {
    const once = new DOMParser().parseFromString('<main>' + html + '</main>', 'text/html')
    const twice = new DOMParser().parseFromString(once.documentElement.outerHTML, 'text/html')
    for (const page of [once, twice]) {
      const inside = page.querySelectorAll('main *').length
      if (page.querySelectorAll('*').length !== inside + 4) wrong.push('outside its place: ' + html)
      for (const element of page.querySelectorAll('main *')) {
        if (!tags.has(element.localName)) wrong.push(element.localName + ': ' + html)
        for (const { name, value } of element.attributes)
          if (!attributes[name]?.(value)) wrong.push(name + '=' + value + ': ' + html)
      }
    }
  }
  return wrong
}`

describeTool('what a browser makes of hostile READMEs', { tools: ['chromium'] }, () => {
  let browser: Browser
  beforeAll(async () => void (browser = await startBrowser()))
  afterAll(() => browser?.close())

  const expectHarmless = async (texts: string[]) => {
    const page = await browser.newPage()
    const pages = JSON.stringify(texts.map(render))
    expect(await page.evaluate<string[]>(`(${findings})(${pages})`)).toEqual([])
    await page.close()
  }

  it('is nothing but plain tags, in their place, by themselves and one after the other', async () => {
    await expectHarmless([...hostileLines, hostileLines.join('\n\n'), hostileLines.join('\n'), hostileLines.join('')])
  })

  it('is the same of any parts of them put together', async () => {
    const parts = hostileLines.flatMap((line) => line.split(/(?<=[<>"'`/\s])/))
    const text = fc.array(fc.oneof(fc.constantFrom(...parts), fc.constantFrom(...hostileLines)), { maxLength: 40 })
    await expectHarmless(fc.sample(text, 3_000).map((chosen) => chosen.join('')))
  })
})
