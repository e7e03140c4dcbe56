import { X509Certificate } from 'node:crypto'
import { OptionError } from '@limpet/core'

/** As the second half of a sentence. */
export const CERTIFICATES_TAKE = 'PEM text with at least one certificate, or a list of it'

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
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new OptionError(path, value, CERTIFICATES_TAKE)
  for (const pem of list) {
    if (typeof pem !== 'string' && !Buffer.isBuffer(pem)) throw new OptionError(path, pem, CERTIFICATES_TAKE)
    const found = pem.toString().match(CERTIFICATE) ?? []
    if (found.length === 0)
      throw new OptionError(path, undefined, '', `has no certificate in it; it takes ${CERTIFICATES_TAKE}`)
    if (!found.every(isCertificate))
      throw new OptionError(
        path,
        undefined,
        '',
        `has a certificate that cannot be read; it takes ${CERTIFICATES_TAKE}`,
      )
  }
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined
  } catch {
    return false
  }
}
