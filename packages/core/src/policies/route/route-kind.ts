import { table } from '../../options/option-table.ts'
import type { PolicyKind } from '../policy-kind.ts'
import { parseRouteOptions, ROUTE_OPTIONS, type RoutePolicyOptions, routePolicy } from './route-policy.ts'

export const ROUTE: PolicyKind<RoutePolicyOptions> = {
  options: table(ROUTE_OPTIONS),
  isSigned: false,
  parse(path, value) {
    const read = parseRouteOptions(path, value)
    return { make: ({ pool }) => routePolicy(read, pool) }
  },
}
