import { proxyContract } from '../contract/index.ts'
import { HONO } from '../support/harnesses.ts'

proxyContract(HONO)
