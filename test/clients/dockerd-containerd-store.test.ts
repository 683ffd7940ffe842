import { startDocker } from '../helpers/docker.ts'
import { describeTool } from '../helpers/tools.ts'
import { imageTools, testPulls } from '../suites/client.ts'

const tools = ['dockerd-29/dockerd', 'containerd-2/containerd', 'runc', 'docker', ...imageTools]

// The current dockerd pulls through containerd's resolver: a HEAD of the tag, then everything by digest, with ns=docker.io. It takes
// its platform's attestation too, and asks for that one's referrers.
describeTool('dockerd with the containerd image store and Berth as registry mirror', { tools, root: true }, () => {
  testPulls((berth) => startDocker('containerd store', berth.url))
})
