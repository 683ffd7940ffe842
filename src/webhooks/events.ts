/** How telling receivers goes. `dropped`: it will never be told. */
export interface WebhookEvent {
  type: 'webhook'
  hook: string
  outcome: 'delivered' | 'failed' | 'dropped'
  message?: string
}

export type ReportWebhook = (event: WebhookEvent) => void
