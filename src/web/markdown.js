// Markdown as HTML that may stand on a page, whoever wrote it. Plain JavaScript: it runs in a worker, which is started from a
// file, and the same file serves sources and build.
import MarkdownIt from 'markdown-it'
import sanitize from 'sanitize-html'

/** The first heading's level on the page: its own heading stands above. */
const firstLevel = 3

const markdown = new MarkdownIt({ html: true, linkify: true, maxNesting: 20 })
markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false, fuzzyIP: false })

const aligned = ['left', 'center', 'right']
const headings = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6']

/** All others are left out, and what is in these too. */
const withoutText =
  'script style textarea option noscript template iframe svg math title xmp noembed noframes object audio video'

const allowed = {
  allowedTags: [
    ...headings,
    ...'p br hr div span a img pre code kbd samp var em strong b i u s del ins mark small sub sup q cite abbr'.split(
      ' ',
    ),
    ...'ul ol li dl dt dd blockquote details summary table thead tbody tfoot tr th td'.split(' '),
  ],
  allowedAttributes: {
    a: ['href', 'rel'],
    img: ['src', 'alt'],
    ol: ['start'],
    th: ['align'],
    td: ['align'],
    ...Object.fromEntries(headings.map((heading) => [heading, ['id']])),
  },
  allowedSchemes: ['http', 'https', 'mailto'],
  allowProtocolRelative: false,
  nonTextTags: withoutText.split(' '),
  nestingLimit: 50,
}

/**
 * Renders a text. What is in it can neither run, nor load anything, nor look like a part of the page outside its place:
 * only plain tags are left; images are links; headings begin below those of the page.
 * @param {string} text
 * @returns {string}
 */
export function render(text) {
  const html = markdown.render(shown(text))
  const levels = [...html.matchAll(/<h([1-6])[\s>]/gi)].map(([, level]) => Number(level))
  const shift = firstLevel - Math.min(...levels, 6)
  return settle(sanitize(html, { ...allowed, transformTags: transforms(shift) }))
}

/**
 * Characters that show as nothing, or turn the direction of what follows, become visible; those that join letters stay.
 * @param {string} text
 */
function shown(text) {
  const deceptive =
    /[\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u202a-\u202e\u2060-\u206f\ufeff]/g
  return text.replace(deceptive, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/**
 * @param {number} shift of the levels of headings
 * @returns {Record<string, import('sanitize-html').Transformer>}
 */
function transforms(shift) {
  /** @type {Map<string, number>} */
  const seen = new Map()
  /** @type {[string, import('sanitize-html').Transformer][]} */
  const shifted = headings.map((heading, index) => [
    heading,
    (/** @type {string} */ _, /** @type {import('sanitize-html').Attributes} */ attribs) => ({
      tagName: headings[Math.min(index + shift, 5)] ?? heading,
      attribs: attribs.id === undefined ? {} : { id: single(anchor(attribs.id), seen) },
    }),
  ])
  const cell = (/** @type {string} */ tagName, /** @type {import('sanitize-html').Attributes} */ { align, style }) => {
    const told = align ?? /^text-align:(\w+)$/.exec(style ?? '')?.[1] ?? ''
    return { tagName, attribs: aligned.includes(told) ? { align: told } : {} }
  }
  return { ...Object.fromEntries(shifted), a: link, th: cell, td: cell }
}

/**
 * A link elsewhere says that it is not ours. One that is relative would lead to a page of this server that it does not mean.
 * @type {import('sanitize-html').Transformer}
 */
function link(tagName, { href = '' }) {
  if (href.startsWith('#')) return { tagName, attribs: { href: `#${anchor(href.slice(1))}` } }
  if (!/^(?:https?:\/\/|mailto:)/i.test(href)) return { tagName: 'span', attribs: {} }
  return { tagName, attribs: { href, rel: 'noopener nofollow ugc' } }
}

/**
 * Headings are led to by what they say, as READMEs expect.
 * @type {import('markdown-it').RendererRule}
 */
const headingOpen = (tokens, index, options, _env, renderer) => {
  const words = tokens[index + 1]?.children?.map(({ content }) => content).join('') ?? ''
  tokens[index]?.attrSet('id', words)
  return renderer.renderToken(tokens, index, options)
}
markdown.renderer.rules.heading_open = headingOpen

/**
 * A name that nothing else on the page has.
 * @param {string} text
 */
function anchor(text) {
  const words = decoded(text)
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
  return `readme-${words.trim().replace(/\s/g, '-').slice(0, 100)}`
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * @param {string} name
 * @param {Map<string, number>} seen
 */
function single(name, seen) {
  const before = seen.get(name) ?? 0
  seen.set(name, before + 1)
  return before === 0 ? name : `${name}-${before}`
}

/**
 * Goes over what the sanitizer wrote, in which every `<` and `>` is a tag's: images become links, links without words and
 * links in links go, and what may be wider than a phone can be moved by keyboard.
 * @param {string} html
 */
function settle(html) {
  /** @type {string[]} */
  const out = []
  /** @type {{ at: number, nested: boolean, hasWords: boolean }[]} */
  const links = []
  const write = (/** @type {string} */ words) => {
    if (words.trim() !== '') for (const link of links) link.hasWords = true
    out.push(words)
  }
  for (const part of html.split(/(<[^>]*>)/)) {
    const tag = /^<(\/?\w+)/.exec(part)?.[1]
    if (tag === undefined) write(part)
    else if (tag === 'img') write(imageLink(part, links.length > 0))
    else if (tag === 'a') {
      links.push({ at: out.length, nested: links.length > 0, hasWords: false })
      out.push(links.length > 1 ? '' : part)
    } else if (tag === '/a') {
      const link = links.pop()
      if (link && !link.hasWords) out[link.at] = ''
      else if (link && !link.nested) out.push(part)
    } else out.push(movable[part] ?? part)
  }
  return out.join('')
}

/** @type {Record<string, string>} */
const movable = {
  '<pre>': '<pre tabindex="0">',
  '<table>': '<div class="wide" tabindex="0"><table>',
  '</table>': '</table></div>',
}

/**
 * No image of others is loaded: whose page it comes from would learn who reads this.
 * @param {string} tag
 * @param {boolean} inLink
 */
function imageLink(tag, inLink) {
  const of = (/** @type {string} */ name) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? ''
  const [source, alt] = [of('src'), of('alt').trim()]
  const words = alt === '' ? 'image' : alt
  // With one slash it would lead to a page of this server.
  if (inLink || !/^https?:\/\//i.test(source)) return words
  return `<a href="${source}" rel="noopener nofollow ugc">${words}</a>`
}
