// Reads layers and documents on a thread of its own: what comes from elsewhere may be large, slow to read, or made to harm, and
// the thread can be ended whatever it does. Plain JavaScript: a worker is started from a file, and the same file serves sources
// and build.
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { Unreadable } from './databases.js'
import { readDocument } from './documents.js'
import { readLayer } from './layer.js'

/** @typedef {import('./package.ts').ThreadOrder} ThreadOrder */
/** @typedef {import('./package.ts').ThreadReport} ThreadReport */

// On Linux this concerns the calling thread alone: it gives way to whoever waits for an answer.
setPriority(10)

/** What waits for the next chunk of the layer; undefined stands for its end. @type {((bytes?: Uint8Array) => void) | undefined} */
let next

parentPort?.on('message', (/** @type {ThreadOrder} */ order) => {
  if (order.order === 'chunk') next?.(order.bytes)
  else if (order.order === 'end') next?.()
  else if (order.order === 'layer')
    void answer(async () => {
      const findings = await readLayer(chunks(), order.compression, order.most)
      return { report: 'layer', findings }
    })
  else void answer(async () => ({ report: 'document', document: readDocument(order.bytes) }))
})

/** @param {() => Promise<ThreadReport>} work */
async function answer(work) {
  try {
    tell(await work())
  } catch (error) {
    tell({ report: 'failed', why: error instanceof Unreadable ? error.message : 'it is packed or written wrongly' })
  }
  next = undefined
}

async function* chunks() {
  for (;;) {
    /** @type {Promise<Uint8Array | undefined>} */
    const coming = new Promise((resolve) => (next = resolve))
    tell({ report: 'more' })
    const bytes = await coming
    if (!bytes) return
    yield bytes
  }
}

/** @param {ThreadReport} report */
function tell(report) {
  parentPort?.postMessage(report)
}
