"""Language models, chosen by alias; all speak OpenAI's protocol over one guarded client."""
