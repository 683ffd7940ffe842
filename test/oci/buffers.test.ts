import { describe, expect, it } from 'vitest'
import { Buffers } from '../../src/oci/buffers.js'

describe('large buffers', () => {
  it('are used again when they were given back', () => {
    const buffers = new Buffers(64, 1)
    const first = buffers.take()
    expect(first).toHaveLength(64)
    expect(buffers.take()).not.toBe(first)
    buffers.give(first)
    expect(buffers.take()).toBe(first)
  })

  it('are kept for later up to a number alone', () => {
    const buffers = new Buffers(64, 1)
    const [first, second] = [buffers.take(), buffers.take()]
    buffers.give(first)
    buffers.give(second)
    expect(buffers.take()).toBe(first)
    expect(buffers.take()).not.toBe(second)
  })
})
