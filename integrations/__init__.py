"""Other services: language models, sources of documents, webhooks, and the credentials for them."""
