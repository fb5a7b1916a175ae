import config from "./jest.config.js";

export default {
  ...config,
  testEnvironmentOptions: { customExportConditions: ["node"] },
};
