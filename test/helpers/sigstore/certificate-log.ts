import { createHash, generateKeyPairSync, sign } from 'node:crypto'

/** A log of certificates (RFC 6962): its receipt for one that is about to be issued becomes part of it. */
export function makeCertificateLog() {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = publicKey.export({ type: 'spki', format: 'der' })
  const logID = createHash('sha256').update(key).digest()
  const log = (certificate: ArrayBuffer, issuer: ArrayBuffer): Promise<ArrayBuffer> => {
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(BigInt(Date.now()))
    const content = toBeSigned(Buffer.from(certificate))
    const entry = Buffer.concat([
      Buffer.from([0, 1]),
      Buffer.from(issuer),
      lengthOf(content, 3),
      content,
      Buffer.from([0, 0]),
    ])
    const signature = sign('sha256', Buffer.concat([Buffer.from([0, 0]), time, entry]), privateKey)
    const [extensions, sha256WithEcdsa] = [Buffer.from([0, 0]), Buffer.from([4, 3])]
    const parts = [Buffer.from([0]), logID, time, extensions, sha256WithEcdsa, lengthOf(signature, 2), signature]
    const receipt = Buffer.concat(parts)
    return Promise.resolve(new Uint8Array(Buffer.concat([lengthOf(receipt, 2), receipt])).buffer)
  }
  return { publicKey: key, logID, log }
}

/** The part of a certificate that is signed: its first element. Both are of 256 to 65,535 bytes, so that a head is of four. */
function toBeSigned(certificate: Buffer): Buffer {
  return certificate.subarray(4, 8 + certificate.readUInt16BE(6))
}

function lengthOf(bytes: Buffer, width: number): Buffer {
  const length = Buffer.alloc(width)
  length.writeUIntBE(bytes.length, 0, width)
  return length
}
