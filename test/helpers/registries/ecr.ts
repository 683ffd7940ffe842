import { startService, type Service } from './service.ts'

/** Amazon ECR's API, as far as a login needs it: GetAuthorizationToken, each time with another password for 12 hours. */
export function startEcrApi(now: () => number, passwordOf: (call: number) => string): Promise<Service> {
  let calls = 0
  return startService(({ headers }) => {
    if (headers['x-amz-target'] !== 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken') {
      return { status: 400, json: { __type: 'InvalidAction' } }
    }
    if (!headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=AKIATEST/')) {
      return { status: 403, json: { __type: 'MissingAuthenticationToken' } }
    }
    const authorizationToken = Buffer.from(`AWS:${passwordOf(++calls)}`).toString('base64')
    const expiresAt = now() / 1000 + 12 * 3600
    return {
      status: 200,
      headers: { 'content-type': 'application/x-amz-json-1.1' },
      json: { authorizationData: [{ authorizationToken, expiresAt, proxyEndpoint: 'https://0.dkr.ecr.test' }] },
    }
  })
}
