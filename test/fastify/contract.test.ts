import { proxyContract } from '../contract/index.ts'
import { FASTIFY } from '../support/harnesses.ts'

proxyContract(FASTIFY)
