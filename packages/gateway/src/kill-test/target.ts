import { lookup, type LookupAddress, type LookupOptions } from 'node:dns'
import { lookup as lookupAll } from 'node:dns/promises'
import { isIP } from 'node:net'
import { isLoopbackAddress } from '../admin/admission.ts'

type Found = (error: NodeJS.ErrnoException | null, address: string | LookupAddress[], family?: number) => void

/** Host that the test may send requests to: this machine, and a host that the operator has named. */
export class TargetGuard {
  readonly #allowed: string | undefined

  /** @param allowed the value of `--i-may-test` */
  constructor(allowed: string | undefined) {
    this.#allowed = allowed && plainHost(allowed)
  }

  /**
   * Looks a host up, and refuses one with an address that is no loopback address.
   * @throws Error that says which host, and what to do
   */
  async check(hostname: string): Promise<void> {
    const host = plainHost(hostname)
    if (this.#isNamed(host)) return
    const addresses = isIP(host) === 0 ? await addressesOf(host) : [host]
    const foreign = addresses.find(address => !isLoopbackAddress(address))
    if (foreign !== undefined)
      throw new Error(
        `${host} is not this machine (${foreign}); pass --i-may-test ${host} if you may break what runs there`,
      )
  }

  /** The lookup of every connection, because a name may have another address by then. For `net.connect`. */
  readonly lookup = (hostname: string, options: LookupOptions, found: Found): void => {
    lookup(hostname, options, (error, address, family) => {
      if (error !== null) return found(error, address, family)
      const addresses = Array.isArray(address) ? address.map(one => one.address) : [address]
      if (!this.#isNamed(plainHost(hostname)) && !addresses.every(isLoopbackAddress))
        return found(new Error(`${hostname} is no longer this machine`), address, family)
      return found(null, address, family)
    })
  }

  #isNamed(host: string): boolean {
    return host === this.#allowed
  }
}

/** An address without the brackets that a URL has around IPv6. */
function plainHost(host: string): string {
  return host.replaceAll(/[[\]]/g, '').toLowerCase()
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookupAll(host, { all: true })).map(({ address }) => address)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`${host} has no address (${code ?? 'unknown'})`, { cause: error })
  }
}
