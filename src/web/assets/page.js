// What a page does better with scripts; without them all of it still works.

for (const button of document.querySelectorAll('button[data-copy]')) {
  button.hidden = false
  button.addEventListener('click', async () => {
    const label = button.textContent
    try {
      await navigator.clipboard.writeText(button.dataset.copy)
      button.textContent = 'Copied'
    } catch {
      // Over plain HTTP browsers offer no clipboard: the text is selected, ready for the keyboard.
      button.ownerDocument.getSelection().selectAllChildren(button.previousElementSibling)
      button.textContent = 'Selected'
    }
    setTimeout(() => (button.textContent = label), 1500)
  })
}

/** Shows fills as the server tells of them, in the list that the page came with. */
function follow(list) {
  const none = list.parentElement.querySelector('.none')
  const source = new EventSource(list.dataset.live)
  source.onmessage = ({ data }) => {
    const fills = JSON.parse(data)
    const known = new Map([...list.children].map((item) => [item.dataset.digest, item]))
    for (const fill of fills) {
      const item = known.get(fill.digest) ?? list.appendChild(newItem(fill))
      known.delete(fill.digest)
      const bar = item.querySelector('progress')
      bar.max = fill.size ?? 1
      bar.value = fill.size === undefined ? 0 : fill.present
      item.querySelector('.amount').textContent = `${bytes(fill.present)} of ${bytes(fill.size)}`
    }
    for (const item of known.values()) item.remove()
    none.hidden = fills.length > 0
  }
}

function newItem({ digest, name, upstream }) {
  const item = document.createElement('li')
  item.dataset.digest = digest
  const of = document.createElement(name === undefined ? 'span' : 'a')
  if (name !== undefined) of.href = `/r/${name}`
  of.className = 'of'
  of.textContent = name ?? upstream
  const bar = document.createElement('progress')
  bar.setAttribute('aria-label', `Progress of ${digest.slice(7, 19)}`)
  const amount = document.createElement('span')
  amount.className = 'amount'
  item.append(of, bar, amount)
  return item
}

function bytes(count) {
  if (count === undefined) return '?'
  const power = count < 1 ? 0 : Math.floor(Math.log2(count) / 10)
  const value = count / 1024 ** power
  return `${power > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

for (const list of document.querySelectorAll('[data-live]')) follow(list)

/** Takes a part of this page from the server again and again, until it says that it has come to its end. */
async function renew(part) {
  while (part.isConnected && 'follow' in part.dataset) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const answer = await fetch(location.href).catch(() => undefined)
    if (!answer?.ok) continue
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    const next = page.getElementById(part.id)
    if (!next) return
    part.replaceWith(next)
    part = next
  }
}

for (const part of document.querySelectorAll('[data-follow]')) void renew(part)
// Something is being read, and will be here soon.
if (document.querySelector('[data-again]')) setTimeout(() => location.reload(), 2000)
