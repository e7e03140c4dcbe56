import { X509Certificate } from 'node:crypto'
import { OptionError } from '@limpet/core'

const CERTIFICATE =
  /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----[^-]*-----END (?:X509 |TRUSTED )?CERTIFICATE-----/g

/**
 * Checks certificates to trust. Node ignores text without a certificate and trusts its own roots instead, so the option
 * would stand there and protect nothing.
 * @param path of the option
 * @param value PEM text, bytes of it, or a list of these
 * @throws OptionError unless each has a certificate, and each certificate can be read
 */
export function checkCertificates(path: string, value: unknown): void {
  const takes = 'PEM text with at least one certificate, or a list of it'
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new OptionError(path, value, takes)
  for (const pem of list) {
    if (typeof pem !== 'string' && !Buffer.isBuffer(pem)) throw new OptionError(path, pem, takes)
    const found = pem.toString().match(CERTIFICATE) ?? []
    if (found.length === 0)
      throw new OptionError(path, undefined, '', `has no certificate in it; it takes ${takes}`)
    if (!found.every(isCertificate))
      throw new OptionError(path, undefined, '', `has a certificate that cannot be read; it takes ${takes}`)
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
