export default {
  testEnvironment: "./jsdom-environment.js",
  transform: {},
};
