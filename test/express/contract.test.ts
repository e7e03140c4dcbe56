import { proxyContract } from '../contract/index.ts'
import { EXPRESS_5 } from '../support/harnesses.ts'

proxyContract(EXPRESS_5)
