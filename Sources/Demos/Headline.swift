// Lesson: one thread is enough for many things at once, if they wait more than they work.

@MainActor
func headline() throws {
    try syncAsync()
    try fetch()
    put(
        "\n"
            + Console.styled(
                "The same waits; the client is still one thread, whose loop waits for all at the same time.",
                .bold))
}
