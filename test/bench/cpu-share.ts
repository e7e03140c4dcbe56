import { existsSync, mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where Linux keeps the CPU controller of its first cgroups. */
const ROOT = '/sys/fs/cgroup/cpu'
/** Short, so that a share is one of each moment. */
const PERIOD_US = 10_000

/** A share of one core that a process may have, and no more (cgroups v1; it takes root). */
export class CpuShare {
  readonly #folder: string

  /** @param share of one core, 0 to 1 */
  constructor(name: string, share: number) {
    this.#folder = join(ROOT, `limpet-bench-${process.pid}-${name}`)
    mkdirSync(this.#folder)
    writeFileSync(join(this.#folder, 'cpu.cfs_period_us'), String(PERIOD_US))
    writeFileSync(join(this.#folder, 'cpu.cfs_quota_us'), String(share * PERIOD_US))
  }

  static get isPossible(): boolean {
    return existsSync(join(ROOT, 'cpu.cfs_quota_us')) && process.getuid?.() === 0
  }

  limit(pid: number): void {
    writeFileSync(join(this.#folder, 'cgroup.procs'), String(pid))
  }

  /** When its processes have ended. */
  remove(): void {
    rmdirSync(this.#folder)
  }
}
