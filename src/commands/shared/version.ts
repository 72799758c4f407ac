/** The MongoDB release whose behaviour this server follows. */
export const MONGODB_VERSION = '8.0.16';
export const MONGODB_VERSION_ARRAY = [8, 0, 16, 0];
export const FEATURE_COMPATIBILITY_VERSION = '8.0';
/** What 8.0 announces: drivers choose their features by it. */
export const MAX_WIRE_VERSION = 25;
export const MIN_WIRE_VERSION = 0;
