import { describe, expect, it } from 'vitest'
import { parseDiscovery } from './discovery-options.ts'
import { useDiscoveryTimers } from './discovering-pool.fixture.ts'

useDiscoveryTimers()

describe('the options of discovery', () => {
  it.each<[object, string]>([
    [{ dns: 'app.internal' }, 'discovery.dns'],
    [{ dns: 'app.internal:0' }, 'discovery.dns'],
    [{ dns: 'app.internal:70000' }, 'discovery.dns'],
    [{ dns: 'a b:80' }, 'discovery.dns'],
    [{ dns: '10.0.0.1:80' }, 'discovery.dns'],
    [{ dns: ['app:80'] }, 'discovery.dns'],
    [{ dns: '_http._tcp.app:80', type: 'SRV' }, 'discovery.dns'],
    [{ dns: 'app:80', type: 'MX' }, 'discovery.type'],
    [{ dns: 'app:80', refresh: 999 }, 'discovery.refresh'],
    [{ dns: 'app:80', protocol: 'ftp' }, 'discovery.protocol'],
    [{ dns: 'app:80', servers: [] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['dns.internal'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['10.0.0.2:0'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['[::1]:00'] }, 'discovery.servers'],
    [{ dns: 'app:80', servers: ['10.0.0.2:65536'] }, 'discovery.servers'],
    [{ dns: 'app:80', server: ['10.0.0.1'] }, 'discovery.server'],
  ])('%j is refused', (options, option) => {
    expect(() => parseDiscovery('discovery', options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', option }) as Error,
    )
  })

  it.each([['10.0.0.2'], ['127.0.0.1:5353'], ['::1'], ['[::1]:5353']])('the server %s is taken', server => {
    expect(parseDiscovery('discovery', { dns: 'app:80', servers: [server] })?.servers).toEqual([server])
  })
})
