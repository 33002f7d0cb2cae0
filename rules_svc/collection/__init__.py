"""When and how waste is collected: streams, their evenings and hours, holidays, and how old what is known is."""
