export { CSV_TYPE, statsCsv } from './stats-csv.ts'
export { statsJson } from './stats-json.ts'
