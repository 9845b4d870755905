"""Operations: what serves every context and belongs to none."""
