node -p 'require("saltmine/integrity.json").files["saltmine.global.js"]'
