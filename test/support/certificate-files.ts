import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { TLSSocket } from 'node:tls'
import { onTestFinished } from 'vitest'

/** The certificates of `tls/`, by the name that each is for. */
const PREFIXES = { 'app.internal': '', 'renewed.internal': 'renewed-' } as const

export type CertificateName = keyof typeof PREFIXES

function sourceOf(name: CertificateName, file: string): URL {
  return new URL(`tls/${PREFIXES[name]}${file}.pem`, import.meta.url)
}

/** A certificate and its key in files of their own, until the test ends. */
export class CertificateFiles {
  readonly #folder = mkdtempSync(join(tmpdir(), 'limpet-tls-'))
  readonly cert = join(this.#folder, 'cert.pem')
  readonly key = join(this.#folder, 'key.pem')

  constructor(name: CertificateName) {
    onTestFinished(() => rmSync(this.#folder, { recursive: true, force: true }))
    this.put(name)
  }

  put(name: CertificateName): void {
    copyFileSync(sourceOf(name, 'certificate'), this.cert)
    copyFileSync(sourceOf(name, 'key'), this.key)
  }
}

/** A request on a connection of its own. @returns the certificate's name, and the backend that responded */
export async function askSecurely(port: number): Promise<{ subject: string | undefined; backend: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{
    subject: string | undefined
    backend: string
  }>()
  request({ host: '127.0.0.1', port, agent: false, rejectUnauthorized: false }, response => {
    const { CN } = (response.socket as TLSSocket).getPeerCertificate().subject
    const subject = Array.isArray(CN) ? CN[0] : CN
    json(response).then(echo => resolve({ subject, backend: (echo as { id: string }).id }), reject)
  })
    .on('error', reject)
    .end()
  return promise
}
