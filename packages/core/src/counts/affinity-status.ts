/**
 * The result of reading a request's keys (HAProxy's log letters, in words): no key; an invalid one;
 * an expired one; one of an unknown session, or of a backend that has left the pool; one of a backend
 * that is down, has no room, or was removed by discovery within the grace time; or a key whose backend has the request now.
 */
export type AffinityStatus = 'none' | 'invalid' | 'expired' | 'unknown' | 'unavailable' | 'matched'
