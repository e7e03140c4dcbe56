/** The error response to an admin request. */
export class AdminError extends Error {
  override readonly name = 'AdminError'
  readonly statusCode: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  constructor(
    statusCode: number,
    code: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.statusCode = statusCode
    this.code = code
    this.headers = headers
  }
}
