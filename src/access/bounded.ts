import { LRUCache } from 'lru-cache'

/** A cache of so many entries at most. It grows as it fills: one that is told `max` takes room for all of them at once, some 4 MiB. */
export function bounded<V extends object | number | boolean>(most: number): LRUCache<string, V> {
  return new LRUCache<string, V>({ maxSize: most, sizeCalculation: () => 1 })
}
