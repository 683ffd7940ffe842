/** What became of a certificate. `kept`: the new one is not usable, and the one before is served on. */
export interface CertificateEvent {
  type: 'certificate'
  outcome: 'loaded' | 'kept' | 'ordered' | 'order failed'
  message: string
}

export type ReportCertificate = (event: CertificateEvent) => void
