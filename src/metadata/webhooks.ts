/** One event that one receiver is to be told. */
export interface DeliveryRecord {
  /** The event's: the same for every receiver and at every attempt. */
  readonly id: string
  /** The receiver's name. */
  readonly hook: string
  /** JSON. */
  readonly body: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** How often it was tried without success. */
  readonly attempts: number
}

/** Deliveries that wait. What was put is there after a kill of the process; a power loss may lose the last moments of it. */
export interface WebhookMetadata {
  /** At once: when the call returns its promise, the delivery is written. */
  putDelivery(delivery: Omit<DeliveryRecord, 'attempts'>): Promise<void>
  /** Those that are due, oldest first. */
  dueDeliveries(hook: string, at: number, limit: number): Promise<DeliveryRecord[]>
  postponeDelivery(delivery: Pick<DeliveryRecord, 'id' | 'hook'>, until: number): Promise<void>
  removeDelivery(delivery: Pick<DeliveryRecord, 'id' | 'hook'>): Promise<void>
  countDeliveries(hook: string): Promise<number>
  /** Removes what was put before a time for other hooks than these, and tells the names of those. */
  forgetDeliveries(except: readonly string[], before: number): Promise<string[]>
}
