"""Many connections: users, blocks, rounds. Measures nothing itself: what happens goes to the sink it is handed."""
