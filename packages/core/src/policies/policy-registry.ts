/*
 * The policies by the words that configure them. A new one is a folder, a line here, and its docs: the options, their
 * types and the schema of the gateway's file follow.
 */
export { COOKIE as cookie } from './cookie/cookie-kind.ts'
export { LEARN as learn } from './learn/learn-kind.ts'
export { PREFIX as prefix } from './prefix/prefix-kind.ts'
export { ROUTE as route } from './route/route-kind.ts'
