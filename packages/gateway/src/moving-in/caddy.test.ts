import { describe, expect, it } from 'vitest'
import { moveIn } from './move-in.ts'
import { moved } from './moved.fixture.ts'

const from = (text: string) => moved('caddy', text)

describe('a Caddyfile', () => {
  it('of one site, without braces', () => {
    expect(from(':8080\n\nreverse_proxy 10.0.0.1:80 :9000\n').file).toEqual({
      listen: '0.0.0.0:8080',
      pools: {
        web: {
          backends: [
            { id: '10_0_0_1-80', url: 'http://10.0.0.1:80' },
            { id: 'localhost-9000', url: 'http://localhost:9000' },
          ],
          balance: 'random',
        },
      },
    })
  })

  it('with several sites, matchers and a certificate', () => {
    const { file, lost, problems } = from(`
{
	email me@example.com
	servers {
		trusted_proxies static 10.0.0.0/8
	}
}
shop.example,
www.shop.example {
	encode zstd gzip
	tls /c.pem /k.pem
	@api {
		path /api/*
	}
	@old header X-Old *
	handle @api {
		reverse_proxy https://10.0.1.1 {
			transport http {
				tls_insecure_skip_verify
				dial_timeout 2s
			}
		}
	}
	handle_path /static/* {
		file_server
	}
	reverse_proxy @old 10.0.2.1:80
	reverse_proxy 10.0.0.7:80 unix//run/app.sock {
		lb_policy round_robin
		lb_retries 2
		health_uri /up
		health_status 2xx
		fail_duration 30s
		unhealthy_status 500 502
		header_up Host {upstream_hostport}
		header_down -Server
		header_down X-A "b c"
	}
}
admin.example {
	respond "hi"
}
(snippet) {
	log
}`)
    expect(file).toEqual({
      listen: { host: '0.0.0.0', port: 443, tls: { cert: '/c.pem', key: '/k.pem' }, http2: true },
      trustProxy: ['10.0.0.0/8'],
      routes: [{ path: '/api/', pool: 'api' }, { pool: 'web' }],
      pools: {
        api: {
          backends: [{ id: '10_0_1_1-443', url: 'https://10.0.1.1:443' }],
          balance: 'random',
          timeouts: { connect: '2s' },
          tls: { verify: false },
        },
        web: {
          backends: [
            { id: '10_0_0_7-80', url: 'http://10.0.0.7:80' },
            { id: 'run_app_sock', url: 'unix:/run/app.sock' },
          ],
          balance: 'round-robin',
          maxAttempts: 3,
          health: { fall: 1, rise: 1, interval: '30s', timeout: '5s', expect: '2xx', path: '/up' },
          passive: { fall: 1, retryAfter: '30s', statuses: [500, 502] },
          host: 'backend',
          responseHeaders: { remove: ['Server'], set: { 'X-A': 'b c' } },
        },
      },
    })
    expect(lost).toEqual([
      '10 encode',
      '15 @old',
      '24 handle_path',
      '27 reverse_proxy @old',
      '40 admin.example',
      '43 (snippet)',
    ])
    expect(problems).toEqual([])
  })

  it('with its cookie, whose secret stays where it is', () => {
    const { file, text } = from(`:80 {
	reverse_proxy 10.0.0.1:80 {
		lb_policy cookie lb hunter2 {
			fallback least_conn
			max_age 1h
		}
	}
}`)
    expect(file.pools.web).toMatchObject({
      balance: 'least-requests',
      affinity: [
        {
          cookie: {
            name: 'lb',
            maxLife: '1h',
            persistent: true,
            accept: [{ caddy: { secret: 'env:CADDY_COOKIE_SECRET' } }],
          },
        },
      ],
    })
    expect(text).not.toContain('hunter2')
  })

  it('with the cookie that has no secret', () => {
    const { file, problems } = from(':80\nreverse_proxy 10.0.0.1:80 {\n lb_policy cookie\n}\n')
    expect(file.pools.web.affinity).toEqual([
      { cookie: { name: 'lb', maxLife: '0s', accept: [{ caddy: { secret: '' } }] } },
    ])
    expect(problems).toEqual([])
  })

  it('with imports beside its sites, which are reported', () => {
    const lines = [
      'import common',
      '{\n admin off\n}',
      '(snippet) {\n header X y\n}',
      ':80 {\n reverse_proxy 10.0.0.1:80\n}',
      'import sites/*',
    ]
    const { file, lost } = from(lines.join('\n'))
    expect(file).toMatchObject({ pools: { web: { backends: [{ url: 'http://10.0.0.1:80' }] } } })
    expect(lost).toEqual(['1 import', '5 (snippet)', '11 import'])
    expect(from('import common\n:80\nreverse_proxy 10.0.0.1:80\n').lost).toEqual(['1 import'])
  })

  it.each([
    [':80 {\n reverse_proxy a:1\n', 'line 1: the file ends within this block; a "}" is missing'],
    [':80 {\n}\n}', 'line 3: a "}" has no "{"'],
    [':80 {\n respond "hi\n}', 'line 2: the file ends within a quoted text'],
    [':80 {\n}\na.example\n', 'line 3: a "{" is missing behind the addresses of a site'],
    [':80 {\n respond <<END\nhi\n}', 'line 2: the file ends within a text that END should end'],
    [`:80 {\n${'a {\n'.repeat(50)}`, expect.stringMatching(/blocks are nested more than 32 deep$/)],
  ])('that is broken is refused: %s', (text, message) => {
    expect(() => moveIn('Caddyfile', text, 'caddy')).toThrow(
      expect.objectContaining({ name: 'BrokenFileError', message }),
    )
  })
})
