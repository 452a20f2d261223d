/** The program's version; a test holds it to package.json, so that start-up reads no file for it. */
export const VERSION = '0.1.0';
