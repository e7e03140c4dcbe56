import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { parse } from 'yaml'
import type { Access, Cluster } from './cluster.ts'
import { type Fields, isFields } from './fields.ts'

/** Credentials of a user that are not supported here: programs that make tokens, and passwords. */
const UNSUPPORTED = ['exec', 'auth-provider', 'username', 'as'] as const

/**
 * The cluster of a kubeconfig file, read again before each request.
 * @param contextName @default the current context
 */
export function fromKubeconfig(path: string, contextName?: string): Cluster {
  const file = resolve(path)
  const folder = dirname(file)

  async function read(name: string, of: string): Promise<Buffer> {
    try {
      return await readFile(resolve(folder, name))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`${of} ${resolve(folder, name)} cannot be read (${code ?? 'unknown'})`, {
        cause: error,
      })
    }
  }

  /** The bytes that stand in a field, or in the file that another field names. */
  async function bytes(fields: Fields, name: string): Promise<Buffer | undefined> {
    const data = textOf(fields, `${name}-data`)
    if (data !== undefined) return Buffer.from(data, 'base64')
    const from = textOf(fields, name)
    return from === undefined ? undefined : read(from, name)
  }

  return async () => {
    const config = parsed(file, (await read(file, 'the kubeconfig')).toString())
    const current = contextName ?? textOf(config, 'current-context') ?? ''
    const context = entry(file, config, 'contexts', 'context', current)
    const cluster = entry(file, config, 'clusters', 'cluster', textOf(context, 'cluster') ?? '')
    const user = entry(file, config, 'users', 'user', textOf(context, 'user') ?? '')
    for (const name of UNSUPPORTED) {
      if (name in user)
        throw new Error(
          `${file}: the user has ${name}, which is not supported; give a token or a certificate`,
        )
    }
    if ('proxy-url' in cluster) throw new Error(`${file}: the cluster has proxy-url, which is not supported`)
    const tokenFile = textOf(user, 'tokenFile')
    const token =
      tokenFile === undefined ? textOf(user, 'token') : (await read(tokenFile, 'tokenFile')).toString()
    const ca = await bytes(cluster, 'certificate-authority')
    const cert = await bytes(user, 'client-certificate')
    const key = await bytes(user, 'client-key')
    const servername = textOf(cluster, 'tls-server-name')
    const tls: Access['tls'] = {
      ...(ca !== undefined && { ca }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(servername !== undefined && { servername }),
      ...(cluster['insecure-skip-tls-verify'] === true && { rejectUnauthorized: false }),
    }
    return {
      server: serverOf(file, cluster),
      namespace: textOf(context, 'namespace') ?? 'default',
      token: token?.trim(),
      tls,
    }
  }
}

/** Errors of a parser quote the file, which may contain a token. */
function parsed(file: string, text: string): Fields {
  let value: unknown
  try {
    value = parse(text, { logLevel: 'error' })
  } catch {
    value = undefined
  }
  if (!isFields(value))
    throw new Error(`${file} is no kubeconfig: it takes YAML or JSON with clusters, users and contexts`)
  return value
}

function entry(file: string, config: Fields, list: string, key: string, name: string): Fields {
  const all: unknown = config[list]
  const entries: readonly unknown[] = Array.isArray(all) ? all : []
  const found = entries.find(one => isFields(one) && one['name'] === name)
  const value = isFields(found) ? (found[key] ?? {}) : undefined
  if (!isFields(value)) throw new Error(`${file} has no ${key} "${name}" in ${list}`)
  return value
}

function serverOf(file: string, cluster: Fields): URL {
  const server = textOf(cluster, 'server') ?? ''
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new Error(`${file}: the cluster's server is no URL of https: or http:`)
  return url
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}
