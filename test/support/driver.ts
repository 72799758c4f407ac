/** The server's own copy of the driver: files under test/compat would find the one that mongosh and Mongoose share. */
export * from 'mongodb';
