import { proxyContract } from '../contract/index.ts'
import { KOA } from '../support/harnesses.ts'

proxyContract(KOA)
