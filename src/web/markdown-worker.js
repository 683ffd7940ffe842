// Renders one text after the other on a thread of its own: some take seconds, and its memory goes with it.
import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { render } from './markdown.js'

// On Linux this concerns the calling thread alone: it gives way to whoever serves.
setPriority(10)

parentPort?.on('message', (/** @type {string} */ text) => parentPort?.postMessage(render(text)))
