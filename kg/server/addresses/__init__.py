"""What stands at each address: protocols, stored queries, names, and what describes them."""
