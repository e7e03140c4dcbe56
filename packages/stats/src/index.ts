export type { Authorize } from './page/admission.ts'
export type { StatsResponse } from './page/document.ts'
export { OperatorPage, type StatsRequest } from './page/operator-page.ts'
export {
  type FastifyLike,
  type FastifyReplyLike,
  type FastifyRequestLike,
  type KoaLike,
  statsPage,
  type StatsPage,
  type StatsPageOptions,
} from './page/stats-page.ts'
export type { BackendChange, EndingPool, StatsFigures, StatsSource } from './page/stats-source.ts'
export { CSV_TYPE, statsCsv, statsCsvPieces } from './stats-csv.ts'
export { statsJson, statsJsonPieces } from './stats-json.ts'
