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
