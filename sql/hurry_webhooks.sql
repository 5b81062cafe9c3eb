-- Has every event that waits sent again at once: the receiver is back.
update webhooks_waiting set next_at = now() where not dead and next_at > now()
