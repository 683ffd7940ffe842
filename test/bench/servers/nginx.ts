import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { answers, freePort, isInstalled, run } from './process.ts'

export const nginxMissing = isInstalled('nginx') ? undefined : 'nginx is not installed'

/** nginx as a cache in front of the upstream: one process, its log buffered as Berth's is. */
export async function startNginx(
  folder: string,
  upstream: string,
): Promise<{ url: string; cpuSeconds(): number; stop(): Promise<void> }> {
  const home = await mkdtemp(path.join(folder, 'nginx-'))
  const port = await freePort()
  const file = path.join(home, 'nginx.conf')
  const output = path.join(home, 'output')
  await writeFile(file, configuration(home, port, upstream))
  const nginx = run(['nginx', '-p', home, '-e', path.join(home, 'error.log'), '-c', file], {
    core: 'server',
    output,
  })
  const url = `http://127.0.0.1:${port}`
  await answers(`${url}/v2/`, output)
  return {
    url,
    cpuSeconds: () => nginx.cpuSeconds(),
    async stop() {
      await nginx.stop()
      await rm(home, { recursive: true })
    },
  }
}

function configuration(home: string, port: number, upstream: string): string {
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `
${user}
daemon off;
master_process off;
pid ${home}/pid;
events { worker_connections 1024; }
http {
  ${temporary.map((name) => `${name}_temp_path ${home}/${name};`).join(' ')}
  access_log ${home}/access.log combined buffer=64k flush=1s;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  open_file_cache max=1000 inactive=60s;
  proxy_cache_path ${home}/cache keys_zone=cache:10m max_size=10g;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass ${upstream};
      proxy_http_version 1.1;
      proxy_cache cache;
      proxy_cache_valid 200 1h;
      proxy_cache_lock on;
    }
  }
}
`
}
