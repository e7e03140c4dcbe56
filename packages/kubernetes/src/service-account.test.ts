import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { inCluster } from './service-account.ts'
import { folderOf } from './cluster-folder.fixture.ts'

describe('a service account', () => {
  const files = { token: 'abc\n', 'ca.crt': 'PEM', namespace: 'web\n' }

  it('is read again each time, as its token rotates', async () => {
    const folder = folderOf(files)
    const cluster = inCluster(folder, {
      KUBERNETES_SERVICE_HOST: '10.96.0.1',
      KUBERNETES_SERVICE_PORT: '6443',
    })
    expect(await cluster()).toMatchObject({ namespace: 'web', token: 'abc', tls: { ca: 'PEM' } })
    expect((await cluster()).server.href).toBe('https://10.96.0.1:6443/')
    writeFileSync(join(folder, 'token'), 'def')
    expect(await cluster()).toMatchObject({ token: 'def' })
  })

  it('has the API server in brackets where its address is one of IPv6', async () => {
    const cluster = inCluster(folderOf(files), { KUBERNETES_SERVICE_HOST: 'fd00::1' })
    expect((await cluster()).server.href).toBe('https://[fd00::1]/')
  })

  it('is none outside of a cluster, and says so', async () => {
    await expect(inCluster(folderOf(files), {})()).rejects.toThrow(
      'the environment has no KUBERNETES_SERVICE_HOST, so this is no pod; outside of a cluster give kubeconfig',
    )
  })

  it('that is not mounted says which file is missing', async () => {
    const folder = folderOf({})
    await expect(inCluster(folder, { KUBERNETES_SERVICE_HOST: 'a' })()).rejects.toThrow(
      `the file ${join(folder, 'token')} cannot be read (ENOENT); has the pod automountServiceAccountToken: false?`,
    )
  })
})
