import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fromKubeconfig } from './kubeconfig.ts'
import { folderOf } from './cluster-folder.fixture.ts'

describe('a kubeconfig', () => {
  const config = {
    'current-context': 'dev',
    clusters: [
      { name: 'c', cluster: { server: 'https://api.test/k8s', 'certificate-authority-data': 'UEVN' } },
      { name: 'proxy', cluster: { server: 'http://127.0.0.1:8001' } },
    ],
    users: [
      { name: 'u', user: { token: 'abc' } },
      { name: 'cert', user: { 'client-certificate': 'cert.pem', 'client-key-data': 'S0VZ' } },
      { name: 'exec', user: { exec: { command: 'aws' } } },
      { name: 'file', user: { tokenFile: 'token' } },
      { name: 'none' },
    ],
    contexts: [
      { name: 'dev', context: { cluster: 'c', user: 'u' } },
      { name: 'cert', context: { cluster: 'c', user: 'cert', namespace: 'web' } },
      { name: 'exec', context: { cluster: 'c', user: 'exec' } },
      { name: 'file', context: { cluster: 'c', user: 'file' } },
      { name: 'proxy', context: { cluster: 'proxy', user: 'none' } },
      { name: 'lost', context: { cluster: 'nowhere', user: 'u' } },
    ],
  }
  const open = (context?: string, change: object = {}) => {
    const files = { config: JSON.stringify({ ...config, ...change }), 'cert.pem': 'CERT', token: 'def\n' }
    return fromKubeconfig(join(folderOf(files), 'config'), context)()
  }

  it('of a token and a certificate authority', async () => {
    const access = await open()
    expect(access).toMatchObject({ namespace: 'default', token: 'abc' })
    expect(access.server.href).toBe('https://api.test/k8s')
    expect(access.tls).toEqual({ ca: Buffer.from('PEM') })
  })

  it('of a certificate, with files beside it', async () => {
    const access = await open('cert')
    expect(access).toMatchObject({ namespace: 'web', token: undefined })
    expect(access.tls).toMatchObject({ cert: Buffer.from('CERT'), key: Buffer.from('KEY') })
  })

  it('of a file with a token, and of no user', async () => {
    expect(await open('file')).toMatchObject({ token: 'def' })
    expect(await open('proxy')).toMatchObject({ token: undefined, tls: {} })
  })

  it.each([
    ['exec', {}, 'the user has exec, which is not supported; give a token or a certificate'],
    ['lost', {}, 'has no cluster "nowhere" in clusters'],
    ['other', {}, 'has no context "other" in contexts'],
    [undefined, { 'current-context': undefined }, 'has no context "" in contexts'],
    [undefined, { clusters: 'c' }, 'has no cluster "c" in clusters'],
    [
      undefined,
      { clusters: [{ name: 'c', cluster: { server: 'ftp://a' } }] },
      'is no URL of https: or http:',
    ],
    [
      undefined,
      { clusters: [{ name: 'c', cluster: { server: 'https://a', 'proxy-url': 'http://b' } }] },
      'the cluster has proxy-url, which is not supported',
    ],
    [undefined, { users: [{ name: 'u', user: { tokenFile: 'gone' } }] }, 'cannot be read (ENOENT)'],
  ])('with the context %j and %j is told what is wrong', async (context, change, message) => {
    await expect(open(context, change)).rejects.toThrow(message)
  })

  it.each(['token: "abc', '- a', 'abc'])('that is none, %j, is told without a word of it', async text => {
    const file = join(folderOf({ config: text }), 'config')
    const failure: unknown = await fromKubeconfig(file)().catch((error: unknown) => error)
    expect(String(failure)).toBe(
      `Error: ${file} is no kubeconfig: it takes YAML or JSON with clusters, users and contexts`,
    )
  })

  it('that is not there says so', async () => {
    await expect(fromKubeconfig('/not/there')()).rejects.toThrow(
      'the kubeconfig /not/there cannot be read (ENOENT)',
    )
  })
})
