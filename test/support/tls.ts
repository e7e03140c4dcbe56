import { readFileSync } from 'node:fs'

/** Self-signed, for `app.internal` and 127.0.0.1; see `tls/README.md`. */
export const testCertificate = {
  key: readFileSync(new URL('tls/key.pem', import.meta.url), 'utf8'),
  cert: readFileSync(new URL('tls/certificate.pem', import.meta.url), 'utf8'),
}
