/** Where an API server is, and how it knows us. Asked before each request, for tokens and certificates rotate. */
export type Cluster = () => Promise<Access>

export interface Access {
  /** `https://host:port`, with a path where the API server has one. */
  readonly server: URL
  readonly namespace: string
  readonly token: string | undefined
  readonly tls: {
    readonly ca?: string | Buffer
    readonly cert?: string | Buffer
    readonly key?: string | Buffer
    readonly servername?: string
    readonly rejectUnauthorized?: boolean
  }
}
