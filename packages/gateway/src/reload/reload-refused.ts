/** A worker that cannot take a reload. */
export interface Refusal {
  readonly worker: number
  readonly reason: string
}

/** A reload that at least one worker could not prepare, and that none has made. */
export class ReloadRefused extends Error {
  override readonly name = 'ReloadRefused'
  readonly refusals: readonly Refusal[]

  constructor(refusals: readonly Refusal[]) {
    super(refusals.map(({ worker, reason }) => `worker ${worker}: ${reason}`).join('; '))
    this.refusals = refusals
  }
}
